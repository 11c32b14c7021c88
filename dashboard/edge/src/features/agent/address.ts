/** The address of a control plane, as people write it and as the edge service keeps it. */

const PORT = 31883;
const TLS_PORT = 38883;
const FORM = /^(?:\[[0-9A-Fa-f:.]+\]|[^\s:/[\]]+)(?::(\d{1,5}))?$/;

/** Without the scheme, which the switch for TLS says. */
export function shownAddress(address: string): string {
  return address.replace(/^[a-z]+:\/\//, "");
}

/** `host:port`; a host alone gets the port that fits. Null where it is no address. */
export function wholeAddress(text: string, isTls: boolean): string | null {
  const written = shownAddress(text.trim());
  const found = FORM.exec(written);
  if (found === null) return null;
  const port = found[1];
  if (port === undefined) return `${written}:${isTls ? TLS_PORT : PORT}`;
  return Number(port) >= 1 && Number(port) <= 65_535 ? written : null;
}

/** The usual port follows the switch; another one stays. */
export function withUsualPort(text: string, isTls: boolean): string {
  const [from, to] = isTls ? [PORT, TLS_PORT] : [TLS_PORT, PORT];
  return text.replace(new RegExp(`:${from}$`), `:${to}`);
}
