/** Whether a text is where a control plane can be: scheme, host and port, and nothing behind. */
export function isAddress(text: string): boolean {
  let address: URL;
  try {
    address = new URL(text.trim());
  } catch {
    return false;
  }
  const isPlain = address.pathname === "/" && address.search === "" && address.hash === "";
  const isWeb = ["http:", "https:"].includes(address.protocol);
  return isPlain && isWeb && address.username === "";
}
