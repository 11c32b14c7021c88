import "@mantine/core/styles.css";
import "@mantine/charts/styles.css";
import "@/components/app.css";
import "./components/console.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { startTexts } from "@/lib/texts";

import { App } from "./app/App";
import { LOADERS } from "./i18n";

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no root element");
await startTexts(LOADERS);
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
