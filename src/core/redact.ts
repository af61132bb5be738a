import { escapeHtml } from "./escape-html.ts";

const mask = "***";

/** Shorter values occur in ordinary text: masking them would garble it and protect nothing. */
const shortestSecret = 4;

/** Whatever the scheme is: looking for its beginning would take the square of a long line's length. */
const urlCredentials = /:\/\/[^\s/?#@"'<>]+@/g;

/**
 * The text with every secret of at least four characters as `***`, in the forms in which it may be printed (as it is,
 * percent-encoded, inside a JSON string, as HTML), and with the credentials of every URL masked, known or not.
 */
export function redact(text: string, secrets: readonly string[]): string {
  let redacted = text;
  for (const form of secretForms(secrets)) redacted = redacted.replaceAll(form, mask);
  return redacted.replaceAll(urlCredentials, `://${mask}@`);
}

/** Every spelling to look for, longest first, so that a secret which contains another leaves nothing of itself. */
export function secretForms(secrets: readonly string[]): readonly string[] {
  const forms = new Set<string>();
  for (const secret of secrets) {
    const value = secret.trim();
    if (value.length < shortestSecret) continue;
    // Half a surrogate pair cannot be percent-encoded.
    const wellFormed = value.replaceAll(/\p{Surrogate}/gu, "\ufffd");
    forms.add(value).add(encodeURIComponent(wellFormed)).add(JSON.stringify(value).slice(1, -1));
    forms.add(escapeHtml(value));
  }
  return [...forms].toSorted((a, b) => b.length - a.length);
}
