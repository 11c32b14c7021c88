/** What people call a version of MQTT, by the number that CONNECT has. */
const NAMES: Record<number, string> = { 3: "3.1", 4: "3.1.1", 5: "5.0" };

export function versionOf(level: number | undefined): string {
  return NAMES[level ?? 0] ?? String(level ?? "");
}
