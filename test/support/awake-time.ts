// How long something takes by a limit of its own, whatever else the machine does: a process that gets no turn measures nothing.

const stepMs = 10;
/** What a turn may take longer where the process is awake. */
const lateMs = 40;

/** Starts to measure; what it returns ends that, and says how many milliseconds this process was awake meanwhile. */
export function awakeTime(): () => number {
  let last = performance.now();
  let awakeMs = 0;
  const step = () => {
    const now = performance.now();
    awakeMs += Math.min(now - last, stepMs + lateMs);
    last = now;
  };
  const timer = setInterval(step, stepMs);
  return () => {
    clearInterval(timer);
    step();
    return awakeMs;
  };
}
