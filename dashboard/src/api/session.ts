/**
 * Who is signed in, in this tab.
 *
 * The token lives in the tab's session storage and goes out in a header, never in a cookie: another
 * site's page cannot make the browser send it.
 */
import { useSyncExternalStore } from "react";

export interface Session {
  token: string;
  username: string;
  role: string;
  version: string;
  /** Nothing but a new password is possible until there is one. */
  mustChangePassword: boolean;
  /** Signed in with the code of an API key: users and API keys are closed to it. */
  isByCode?: boolean;
}

const KEY = "rookery.session";
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

/** Whether the caller may change anything; the node decides, this only hides what it would refuse. */
export function useMayChange(): boolean {
  return useSession()?.role === "administrator";
}
