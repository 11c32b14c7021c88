/**
 * What ties a sign-in elsewhere to this tab: random, kept here while the browser is away, and shown when it
 * is back. Whoever is sent an answer that was meant for another browser cannot show it.
 */
const KEY = "rookery.console.binding";

export function newBinding(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const text = btoa(String.fromCharCode(...bytes));
  const binding = text.replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  sessionStorage.setItem(KEY, binding);
  return binding;
}

/** The one that was made; there is none the second time. */
export function takeBinding(): string | null {
  const binding = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  return binding;
}
