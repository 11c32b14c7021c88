import { useEffect, useState } from "react";

const TICK_MS = 1000;

/**
 * How long ago something was, ticking on from what the server said: the clock of the browser may
 * be wrong. `stamp` changes when the age was told anew.
 */
export function useAge(ageMs: number | undefined, stamp: unknown): number | undefined {
  const [shown, setShown] = useState(ageMs);
  useEffect(() => {
    setShown(ageMs);
    if (ageMs === undefined) return undefined;
    const since = performance.now();
    const timer = setInterval(() => setShown(ageMs + performance.now() - since), TICK_MS);
    return () => clearInterval(timer);
  }, [ageMs, stamp]);
  return shown;
}
