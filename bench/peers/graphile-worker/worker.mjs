// graphile-worker with tasks that do nothing but count themselves, as its own documentation says that it is fastest:
// batches of 500, 24 at a time. `install` makes its tables and ends.
import { run, runMigrations } from "graphile-worker";

const jobs = Number(process.env.JOBS);
const preset = {
  worker: {
    connectionString: process.env.DATABASE,
    concurrentJobs: 24,
    maxPoolSize: 25,
    localQueue: { size: 500 },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
  },
};

if (process.argv[2] === "install") {
  await runMigrations({ preset });
  process.exit(0);
}

const times = new Uint8Array(jobs);
let ran = 0;
const say = (line) => process.stdout.write(`${line}\n`);
const nothing = ({ n }) => {
  times[n] += 1;
  ran += 1;
  if (ran === 1) say("first");
  if (ran === jobs) say("last");
};
const quiet = () => () => {};
const { Logger } = await import("graphile-worker");
preset.worker.logger = new Logger(quiet);
const runner = await run({ preset, taskList: { nothing }, noHandleSignals: true });
process.once("SIGTERM", async () => {
  await runner.stop();
  const doubled = times.filter((n) => n > 1).length;
  const lost = times.filter((n) => n === 0).length;
  say(JSON.stringify({ ran, doubled, lost }));
  process.exit(0);
});
