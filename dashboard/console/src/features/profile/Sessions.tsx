import { Badge, Button } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { RowButton } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { formatTime } from "@/lib/format";
import { call } from "@console/api/client";
import type { SessionRow } from "@console/api/shapes";
import { ListTable } from "@console/components/ListTable";
import { deviceOf } from "@console/lib/device";

/** Where one is signed in. */
export function Sessions(): ReactElement {
  const { t } = useTranslation("profile");
  const end = useAct<SessionRow>({
    run: ({ id }) => call("delete", "/profile/sessions/{session}", { path: { session: id } }),
    refresh: ["/profile/sessions"],
    done: t("sessions.ended"),
  });
  const endOthers = useAct({
    run: () => call("delete", "/profile/sessions"),
    refresh: ["/profile/sessions"],
    done: t("sessions.ended"),
    ask: () => ({
      title: t("sessions.endOthers"),
      text: t("sessions.endOthersText"),
      action: t("sessions.end"),
    }),
  });
  return (
    <ListTable<SessionRow>
      label={t("sessions.title")}
      path="/profile/sessions"
      isWhole
      columns={[
        { key: "address", label: t("field.address") },
        {
          key: "userAgent",
          label: t("sessions.browser"),
          render: (row) => <span title={row.userAgent}>{deviceOf(row.userAgent)}</span>,
        },
        {
          key: "createdAt",
          label: t("sessions.since"),
          render: (row) => formatTime(row.createdAt),
        },
        {
          key: "usedAt",
          label: t("sessions.used"),
          render: (row) => formatTime(row.usedAt),
        },
        {
          key: "isCurrent",
          label: t("field.state"),
          render: (row) =>
            row.isCurrent ? (
              <Badge variant="light" tt="none" miw="max-content">
                {t("sessions.current")}
              </Badge>
            ) : undefined,
        },
      ]}
      rowKey={(row) => row.id}
      tools={
        <Button variant="default" size="xs" onClick={() => void endOthers.act()}>
          {t("sessions.endOthers")}
        </Button>
      }
      empty={{ title: t("sessions.empty"), text: "" }}
      actions={(row) => (
        <RowButton
          text={t("sessions.end")}
          label={t("sessions.endOf", { name: `${row.address ?? ""} ${formatTime(row.createdAt)}` })}
          isDanger
          disabled={row.isCurrent}
          onClick={() => void end.act(row)}
        />
      )}
    />
  );
}
