/** Where the wizard is: its second step belongs to somebody who is signed in already. */
import { useSyncExternalStore } from "react";

const KEY = "rookery.console.setup";
const listeners = new Set<() => void>();

function read(): boolean {
  try {
    return sessionStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}

let underWay = read();

/** Kept over a reload: what is not finished is offered again. */
export function setUnderWay(next: boolean): void {
  underWay = next;
  try {
    if (next) sessionStorage.setItem(KEY, "address");
    else sessionStorage.removeItem(KEY);
  } catch {
    // holds as long as the page lives
  }
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useSetupSteps(): { isUnderWay: boolean } {
  return { isUnderWay: useSyncExternalStore(subscribe, () => underWay) };
}
