/** Values as a person reads them, in the language of the page. */

import { isTree } from "./changes";

export const ABSENT = "–";

export function formatNumber(value: unknown, language?: string): string {
  if (typeof value !== "number" || !Number.isFinite(value)) return ABSENT;
  return new Intl.NumberFormat(language, { maximumFractionDigits: 2 }).format(value);
}

const UNITS = ["B", "KB", "MB", "GB", "TB"] as const;

export function formatBytes(value: unknown): string {
  if (typeof value !== "number" || !Number.isFinite(value)) return ABSENT;
  let rest = value;
  let unit = 0;
  while (rest >= 1024 && unit < UNITS.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || rest >= 100 ? 0 : 1;
  return `${rest.toFixed(digits)} ${UNITS[unit] ?? ""}`;
}

const PARTS = [
  [86_400_000, "d", " 天"],
  [3_600_000, "h", " 小时"],
  [60_000, "m", " 分"],
  [1000, "s", " 秒"],
] as const;

/** Milliseconds as the two largest units that they have. */
export function formatDuration(ms: unknown, language: string): string {
  if (typeof ms !== "number" || !Number.isFinite(ms) || ms < 0) return ABSENT;
  const isChinese = language === "zh";
  if (ms < 1000) return `${Math.round(ms)} ${isChinese ? "毫秒" : "ms"}`;
  let rest = ms;
  const shown: string[] = [];
  for (const [size, english, chinese] of PARTS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0 || shown.length > 0) shown.push(`${count}${isChinese ? chinese : english}`);
    if (shown.length === 2) break;
  }
  return shown.join(" ");
}

/** An RFC 3339 text or milliseconds since 1970, in the browser's zone; the same in every language. */
export function formatTime(value: unknown): string {
  if (value === null || value === undefined || value === "" || value === "infinity") return ABSENT;
  if (typeof value !== "string" && typeof value !== "number") return ABSENT;
  const time = new Date(value);
  if (Number.isNaN(time.getTime())) return String(value);
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":");
  return `${dayOf(time)} ${clock}`;
}

/** The day on which it is then in the browser's zone, as a date field takes it. */
export function formatDay(value: string | undefined): string {
  const time = new Date(value ?? "");
  return Number.isNaN(time.getTime()) ? "" : dayOf(time);
}

function two(part: number): string {
  return String(part).padStart(2, "0");
}

function dayOf(time: Date): string {
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
}

export function formatClock(ms: number, language?: string): string {
  return new Intl.DateTimeFormat(language, {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hour12: false,
  }).format(new Date(ms));
}

/** An object as its members, `usage: 100, limit: 80`; anything else as it is. */
export function formatMembers(value: unknown): string {
  if (!isTree(value)) return formatAny(value);
  const members = Object.entries(value).map(([name, item]) => `${name}: ${formatAny(item)}`);
  return members.join(", ") || ABSENT;
}

/** Anything, as text of one line. */
export function formatAny(value: unknown): string {
  if (value === null || value === undefined || value === "") return ABSENT;
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}
