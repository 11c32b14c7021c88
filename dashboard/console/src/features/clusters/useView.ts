import { useState } from "react";

export type View = "cards" | "table";

const KEY = "rookery.console.clusters";

function read(): View {
  try {
    return localStorage.getItem(KEY) === "table" ? "table" : "cards";
  } catch {
    return "cards";
  }
}

/** Cards or table, as chosen the last time. */
export function useView(): [View, (view: View) => void] {
  const [view, setView] = useState(read);
  return [
    view,
    (next) => {
      setView(next);
      try {
        localStorage.setItem(KEY, next);
      } catch {
        // holds for this page only
      }
    },
  ];
}
