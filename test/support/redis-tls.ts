import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

// For 127.0.0.1 and for nothing but tests; it vouches for itself.
const certificateFile = fileURLToPath(new URL("redis-tls/cert.pem", import.meta.url));
const keyFile = fileURLToPath(new URL("redis-tls/key.pem", import.meta.url));

export const certificatePem = readFileSync(certificateFile, "utf8");

/** What makes a Redis server speak TLS on its port, and nothing else. */
export const tlsOptions: readonly string[] = [
  "--port=0",
  "--tls-port=PORT",
  "--tls-auth-clients=no",
  `--tls-cert-file=${certificateFile}`,
  `--tls-key-file=${keyFile}`,
].flatMap((option) => option.split("="));
