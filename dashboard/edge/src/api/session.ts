/**
 * Who is signed in, in this tab.
 *
 * The token lives in the tab's session storage and goes out in a header, never in a cookie: another site's page
 * cannot make the browser send it.
 */
import { useSyncExternalStore } from "react";

const KEY = "rookery.edge.token";
const listeners = new Set<() => void>();

function read(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

let current = read();
/** Set when a session ended by itself, so that the login page can say so. */
let ended = false;

export function token(): string | null {
  return current;
}

export function setToken(next: string | null, hasEnded = false): void {
  current = next;
  ended = hasEnded;
  try {
    if (next === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, next);
  } catch {
    // A browser that stores nothing keeps the session as long as the page lives.
  }
  listeners.forEach((listener) => listener());
}

export function sessionEnded(): boolean {
  return ended;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useToken(): string | null {
  return useSyncExternalStore(subscribe, token);
}
