import type { ReactElement } from "react";

interface QrCodeProps {
  /** Rows of modules; 1 is dark. */
  rows: readonly string[];
  label: string;
}

// As the standard asks for.
const MARGIN = 4;

/** Drawn here, from modules: nothing of the secret leaves the page for a picture. */
export function QrCode({ rows, label }: QrCodeProps): ReactElement {
  const size = rows.length + 2 * MARGIN;
  const path = rows
    .flatMap((row, y) =>
      [...row].map((module, x) =>
        module === "1" ? `M${x + MARGIN} ${y + MARGIN}h1v1h-1z` : "",
      ),
    )
    .join("");
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${size} ${size}`}
      className="qr-code"
      shapeRendering="crispEdges"
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
