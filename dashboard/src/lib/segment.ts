/**
 * The name in a path such as `/clients/NAME`.
 *
 * The router's own parameters take `%2F` for a slash once more after everything was decoded: a client
 * `a%2Fb` would be shown, and disconnected, as `a/b`.
 */
export function segmentOf(pathname: string, index: number): string {
  const written = pathname.split("/")[index + 1] ?? "";
  try {
    return decodeURIComponent(written);
  } catch {
    // Typed by hand, with a percent sign that means itself.
    return written;
  }
}
