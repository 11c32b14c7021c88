/**
 * Who is signed in, in this tab.
 *
 * The tokens live in the tab's session storage and go out in a header, never in a cookie: another
 * site's page cannot make the browser send them.
 */
import { useSyncExternalStore } from "react";

export interface Session {
  accessToken: string;
  refreshToken: string;
}

const KEY = "rookery.console.session";
const listeners = new Set<() => void>();

function read(): Session | null {
  try {
    const text = sessionStorage.getItem(KEY);
    return text === null ? null : (JSON.parse(text) as Session);
  } catch {
    return null;
  }
}

let current = read();
/** Set when a session ended by itself, so that the login page can say so. */
let ended = false;

export function session(): Session | null {
  return current;
}

export function setSession(next: Session | null, hasEnded = false): void {
  current = next;
  ended = hasEnded;
  try {
    if (next === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, JSON.stringify(next));
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

export function useSession(): Session | null {
  return useSyncExternalStore(subscribe, session);
}
