/** Records, one to a line; a line opens to the whole of it. */
import { Badge, UnstyledButton } from "@mantine/core";
import { Fragment, useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { KeyValues } from "@/components/KeyValues";
import { formatTime } from "@/lib/format";
import type { LogRow } from "@console/api/shapes";

import { toneOf } from "./levels";

const COLORS = { bad: "red", warn: "orange", plain: "blue", quiet: "gray" } as const;

export function LogTable({ rows }: { rows: readonly LogRow[] }): ReactElement {
  const { t } = useTranslation("logs");
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (id: string) => {
    const next = new Set(open);
    if (!next.delete(id)) next.add(id);
    setOpen(next);
  };
  return (
    <table className="log-table" aria-label={t("title")}>
      <thead>
        <tr>
          <th scope="col">{t("time")}</th>
          <th scope="col">{t("level")}</th>
          <th scope="col">{t("cluster")}</th>
          <th scope="col">{t("message")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Fragment key={row.id}>
            <tr data-open={open.has(row.id)}>
              <td>
                <UnstyledButton
                  className="log-time"
                  aria-expanded={open.has(row.id)}
                  aria-label={t("open", { time: formatTime(row.time) })}
                  onClick={() => toggle(row.id)}
                >
                  {formatTime(row.time)}
                </UnstyledButton>
              </td>
              <td className="log-level">
                <Badge variant="dot" color={COLORS[toneOf(row.level)]}>
                  {t(`levels.${row.level}`)}
                </Badge>
              </td>
              <td className="log-cluster">{row.clusterName}</td>
              <td className="log-message">
                {row.logger !== "" && <span className="log-logger">{row.logger} </span>}
                {row.message}
              </td>
            </tr>
            {open.has(row.id) && (
              <tr>
                <td colSpan={4}>
                  <Whole row={row} />
                </td>
              </tr>
            )}
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}

function Whole({ row }: { row: LogRow }): ReactElement {
  const { t } = useTranslation("logs");
  return (
    <div className="log-whole">
      <pre>{row.raw}</pre>
      <KeyValues
        rows={[
          [t("cluster"), row.clusterName],
          [t("node"), row.node || t("unknown")],
          [t("file"), row.file],
        ]}
      />
    </div>
  );
}
