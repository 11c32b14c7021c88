/** Where the control plane is reached, as one text and in its parts. */
export interface AddressParts {
  scheme: string;
  serverName: string;
}

export function partsOf(text: string): AddressParts | null {
  let address: URL;
  try {
    address = new URL(text.trim());
  } catch {
    return null;
  }
  const scheme = address.protocol.replace(/:$/, "");
  const isPlain = address.pathname === "/" && address.search === "" && address.hash === "";
  if (!isPlain || address.username !== "" || !["http", "https"].includes(scheme)) return null;
  return { scheme, serverName: address.host };
}

export function textOf(parts: AddressParts | undefined): string {
  return parts?.serverName ? `${parts.scheme}://${parts.serverName}` : "";
}
