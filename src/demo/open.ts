import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";

/**
 * Opens the demo's warehouse for writing, runs `work` and lets go of the file, whatever happens. Nothing is ever downloaded.
 */
export async function withDemoWarehouse<T>(
  path: string,
  work: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> {
  // From the cache: two instances on one file in one process lose what the other one committed.
  const instance = await DuckDBInstance.fromCache(path, {
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  try {
    const connection = await instance.connect();
    try {
      await connection.run("set TimeZone = 'UTC'");
      return await work(connection);
    } finally {
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
}
