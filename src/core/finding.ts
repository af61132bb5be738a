/** Something about a config that only the world outside of it can tell. */
export interface Finding {
  /** An error makes `validate` fail; a warning is for a person to judge. */
  readonly level: "error" | "warning";
  /** The config path that it is about, such as `processors.orders.date_column`. */
  readonly place: string;
  readonly expected: string;
  readonly found: string;
  /** What to do, such as the nearest name. */
  readonly hint: string | null;
}
