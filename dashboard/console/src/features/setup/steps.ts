/** Where the wizard is: what follows its first step belongs to somebody who is signed in already. */
import { useSyncExternalStore } from "react";

const KEY = "rookery.console.setup";
const listeners = new Set<() => void>();

export type LaterStep = "address" | "mail";

function read(): LaterStep | null {
  try {
    const kept = sessionStorage.getItem(KEY);
    return kept === "address" || kept === "mail" ? kept : null;
  } catch {
    return null;
  }
}

let underWay = read();

/** Kept over a reload: what is not finished is offered again. */
export function setUnderWay(next: LaterStep | null): void {
  underWay = next;
  try {
    if (next !== null) sessionStorage.setItem(KEY, next);
    else sessionStorage.removeItem(KEY);
  } catch {
    // holds as long as the page lives
  }
  listeners.forEach((listener) => listener());
}

/** On to what there is to do. */
export function leaveTheWizard(): void {
  window.location.hash = "#/guide";
  setUnderWay(null);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useSetupSteps(): { underWay: LaterStep | null } {
  return { underWay: useSyncExternalStore(subscribe, () => underWay) };
}
