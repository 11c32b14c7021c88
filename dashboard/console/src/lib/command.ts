/** Commands to be pasted into a shell, filled with what somebody typed. */

const PLAIN = /^[\w@%+=:,./-]+$/;

/** As one word for a POSIX shell, whatever is in it. */
export function quoted(value: string): string {
  if (PLAIN.test(value)) return value;
  return `'${value.replaceAll("'", `'"'"'`)}'`;
}

/** Names of the places to fill, in order. */
export function placesOf(command: string): string[] {
  return [...command.matchAll(/\$\{(\w+)\}/g)].map((match) => match[1] ?? "");
}

/** Each `${name}` as a word; what is not known yet stays to be seen, as a word of its own. */
export function filled(command: string, values: Readonly<Record<string, string>>): string {
  return command.replace(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    return value === undefined || value === "" ? quoted(`<${name}>`) : quoted(value);
  });
}
