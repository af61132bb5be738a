import type { DataSourceRef } from "@grafana/grafana-foundation-sdk/common";
import {
  BigValueColorMode,
  BigValueGraphMode,
  GraphGradientMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  MappingType,
  QueryVariableBuilder,
  RowBuilder,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TimeseriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import type { PanelSpec, Query, RowSpec } from "./spec.ts";

/** Whichever Prometheus is chosen above. */
const source: DataSourceRef = { type: "prometheus", uid: "${datasource}" };

/** A dashboard with these rows, the pipelines and processors to choose above it, and one colour for each thing everywhere. */
export function buildDashboard(rows: readonly RowSpec[]): Dashboard {
  const builder = new DashboardBuilder("gap-reconciler")
    .uid("gap-reconciler")
    .description(
      "Gaps of date-partitioned warehouse tables, their repairs, and the daemon that sees to both.",
    )
    .tags(["gap-reconciler"])
    .timezone("browser")
    .refresh("1m")
    .time({ from: "now-24h", to: "now" })
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(new DatasourceVariableBuilder("datasource").label("Prometheus").type("prometheus"))
    .withVariable(
      choice("pipeline", "Pipeline", "label_values(gap_reconciler_build_info, pipeline)").includeAll(true),
    )
    .withVariable(
      choice(
        "processor",
        "Processor",
        'label_values(gap_reconciler_processor_info{pipeline=~"$pipeline"}, processor)',
      )
        .includeAll(true)
        .allValue(".*"),
    );
  // Links and alerts refer to a panel by its number.
  let id = 0;
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title).id(++id));
    for (const panel of row.panels) {
      builder.withPanel((panel.kind === "number" ? number(panel) : series(panel)).id(++id));
    }
  }
  return builder.build();
}

function choice(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(source)
    .query({ query, refId: name })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true);
}

function number(panel: PanelSpec): StatBuilder {
  const { orange = null, red = null } = panel.bad ?? {};
  const isColoured = panel.bad !== undefined || panel.words !== undefined;
  const steps: readonly Threshold[] = [
    { value: null, color: isColoured ? "green" : "text" },
    ...(orange === null ? [] : [{ value: orange, color: "orange" }]),
    ...(red === null ? [] : [{ value: red, color: "red" }]),
  ];
  const builder = new StatBuilder()
    .title(panel.title)
    .description(panel.meaning)
    .datasource(source)
    .unit(panel.unit)
    .span(panel.width)
    .height(4)
    .colorMode(isColoured ? BigValueColorMode.Background : BigValueColorMode.None)
    .graphMode(BigValueGraphMode.None)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]))
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([...steps]));
  if (panel.words !== undefined) {
    builder.mappings([{ type: MappingType.ValueToText, options: { ...panel.words } }]);
  }
  for (const [index, query] of panel.queries.entries()) builder.withTarget(target(query, index).instant());
  return builder;
}

function series(panel: PanelSpec): TimeseriesBuilder {
  const isStacked = panel.kind === "stacked";
  const builder = new TimeseriesBuilder()
    .title(panel.title)
    .description(panel.meaning)
    .datasource(source)
    .unit(panel.unit)
    .span(panel.width)
    .height(8)
    .lineWidth(1)
    .fillOpacity(isStacked ? 60 : 0)
    .gradientMode(GraphGradientMode.None)
    .showPoints(VisibilityMode.Never)
    .stacking(new StackingConfigBuilder().mode(isStacked ? StackingMode.Normal : StackingMode.None))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    );
  if (isStacked) builder.min(0);
  for (const [index, query] of panel.queries.entries()) builder.withTarget(target(query, index).range());
  return builder;
}

function target({ expr, legend }: Query, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .datasource(source)
    .expr(expr)
    .legendFormat(legend)
    .refId(String.fromCharCode("A".charCodeAt(0) + index));
}
