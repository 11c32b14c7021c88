import { Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { Banned } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { Page } from "@/components/Page";
import { RowButton } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { formatTime } from "@/lib/format";

import { BanDialog } from "./BanDialog";

export default function BannedPage(): ReactElement {
  const { t } = useTranslation("banned");
  const mayChange = useMayChange();
  const [isAdding, setAdding] = useState(false);
  const lift = useAct<Banned>({
    // Not by address: a browser takes a name such as `..` in it as a step.
    run: (row) => call("post", "/banned/lift", { body: { as: row.as, who: row.who } }),
    refresh: ["/banned"],
    done: t("lift.done"),
    ask: (row) => ({
      title: t("lift.title"),
      text: t("lift.text", { who: row.who }),
      action: t("lift.action"),
    }),
  });
  const until = (row: Banned) =>
    row.until === undefined || row.until === "infinity"
      ? t("forever")
      : formatTime(row.until);
  return (
    <Page
      title={t("title")}
      help={t("help")}
      actions={mayChange && <Button onClick={() => setAdding(true)}>{t("add.action")}</Button>}
    >
      <DataTable<Banned>
        label={t("title")}
        path="/banned"
        filters={[
          { name: "like_clientid", label: t("field.clientid") },
          { name: "like_username", label: t("field.username") },
          { name: "like_peerhost", label: t("field.address") },
        ]}
        columns={[
          { key: "as", label: t("field.kind"), render: (row) => t(`as.${row.as}`) },
          { key: "who", label: t("who") },
          { key: "reason", label: t("reason") },
          { key: "by", label: t("by") },
          { key: "at", label: t("since"), render: (row) => formatTime(row.at) },
          { key: "until", label: t("until"), render: until },
        ]}
        rowKey={(row) => `${row.as} ${row.who}`}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
        {...(mayChange && {
          actions: (row: Banned) => (
            <RowButton
              text={t("lift.action")}
              label={t("lift.one", { who: row.who })}
              isDanger
              onClick={() => void lift.act(row)}
            />
          ),
        })}
      />
      {isAdding && <BanDialog onClose={() => setAdding(false)} />}
    </Page>
  );
}
