/** One query of a panel. */
export interface Query {
  readonly expr: string;
  /** Grafana's legend, `{{label}}` filled in. */
  readonly legend: string;
}

export interface PanelSpec {
  readonly title: string;
  /** What a person sees there, and what to think of it. */
  readonly meaning: string;
  readonly kind: "number" | "lines" | "stacked";
  /** Grafana's name of the unit. */
  readonly unit: string;
  /** Of 24 columns. */
  readonly width: number;
  readonly queries: readonly Query[];
  /** For `number`: from which values on it is orange and red; none is never coloured. */
  readonly bad?: { readonly orange: number | null; readonly red: number | null };
  /** For `number`: words in place of values. */
  readonly words?: Readonly<Record<string, { readonly text: string; readonly color: string }>>;
}

export interface RowSpec {
  readonly title: string;
  readonly panels: readonly PanelSpec[];
}
