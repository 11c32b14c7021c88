import "@mantine/core/styles.css";
import "@mantine/charts/styles.css";
import "./components/app.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { watchActs } from "./api/acts";
import { keepSession } from "./api/client";
import { App } from "./app/App";
import { LOADERS } from "./i18n";
import { startTexts } from "./lib/texts";

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no root element");
watchActs(keepSession);
await startTexts(LOADERS);
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
