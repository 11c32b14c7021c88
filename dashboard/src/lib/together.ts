type Words = Record<string, unknown>;

function isWords(value: unknown): value is Words {
  return typeof value === "object" && value !== null;
}

/** Both, with the words of the second where both have one. */
export function together(shared: Words, own: Words): Words {
  const all = { ...shared };
  for (const [key, value] of Object.entries(own)) {
    const known = all[key];
    all[key] = isWords(known) && isWords(value) ? together(known, value) : value;
  }
  return all;
}
