import { afterEach, describe } from "vitest";
import { pipelineOf } from "../support/pipeline.ts";
import { describeAccess } from "./warehouse-access.ts";
import { describeAudit } from "./warehouse-audit.ts";
import { describeCoverage } from "./warehouse-coverage.ts";
import { describeDateForms } from "./warehouse-date-forms.ts";
import { describeDatesWritten, describeDateZones } from "./warehouse-date-zones.ts";
import type { MakeWarehouseFixture, OpenWarehouse, WarehouseTraits } from "./warehouse-fixture.ts";
import { describeProfiles } from "./warehouse-profile.ts";
import { describeReplacement } from "./warehouse-replace.ts";
import { describeRunHistory } from "./warehouse-run-history.ts";
import { describeSchedules } from "./warehouse-schedules.ts";
import { describeSurveys } from "./warehouse-survey.ts";

/** What every warehouse adapter must do, whatever its dialect. */
export function describeWarehouseContract(
  name: string,
  traits: WarehouseTraits,
  makeFixture: MakeWarehouseFixture,
): void {
  describe(`a ${name} warehouse`, () => {
    const cleanups: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
    });
    const open: OpenWarehouse = async ({
      tables,
      processors = {},
      schedules,
      timezone = "America/New_York",
    }) => {
      const fixture = await makeFixture(tables);
      cleanups.push(() => fixture.cleanup());
      const made = pipelineOf({ processors, ...(schedules === undefined ? {} : { schedules }) });
      const pipeline = { timezone, processors: made.processors, schedules: made.schedules };
      const warehouse = fixture.open(pipeline);
      cleanups.push(() => warehouse.close());
      return {
        ...pipeline,
        warehouse,
        read: (sql) => fixture.read(sql),
        processor(wanted) {
          const found = made.processors.find((processor) => processor.name === wanted);
          if (found === undefined) throw new Error(`the test has no processor ${wanted}`);
          return found;
        },
      };
    };
    describeProfiles(open);
    describeCoverage(open);
    describeDateForms(open);
    describeDateZones(open);
    describeDatesWritten(open);
    describeSchedules(open);
    describeSurveys(open);
    describeReplacement(open);
    describeAudit(open);
    describeRunHistory(open);
    describeAccess(open, traits);
  });
}
