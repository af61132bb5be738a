const statusNames: Readonly<Record<number, string>> = {
  400: "FAILED_PRECONDITION",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  409: "ABORTED",
  429: "RESOURCE_EXHAUSTED",
};

/** How Google's APIs say no. */
export function googleErrorBody(code: number, message: string): object {
  return { error: { code, message, status: statusNames[code] ?? "INTERNAL" } };
}
