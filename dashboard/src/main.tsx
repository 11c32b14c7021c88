import "@mantine/core/styles.css";
import "@mantine/charts/styles.css";
import "./app/app.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { watchActs } from "./api/acts";
import { keepSession } from "./api/client";
import { App } from "./app/App";
import { startTexts } from "./i18n";

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no root element");
watchActs(keepSession);
await startTexts();
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
