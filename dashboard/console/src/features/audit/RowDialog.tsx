import { Stack, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Dialog } from "@/components/Dialog";
import { KeyValues } from "@/components/KeyValues";
import { StatusBadge } from "@/components/StatusBadge";
import { formatAny, formatTime } from "@/lib/format";
import type { AuditRow } from "@console/api/shapes";
import { differences } from "@console/lib/difference";

import { useWords } from "./useWords";

interface RowDialogProps {
  row: AuditRow;
  onClose: () => void;
}

/** One change: who made it, and what it changed. */
export function RowDialog({ row, onClose }: RowDialogProps): ReactElement {
  const { t } = useTranslation("audit");
  const words = useWords();
  const changed = differences(row.before, row.after);
  const title = `${words.operation(row.operation)} · ${words.resource(row.resource)}`;
  return (
    <Dialog size="lg" title={title} onClose={onClose}>
      <Stack gap="md">
        <KeyValues
          rows={[
            [t("time"), formatTime(row.at)],
            [t("operator"), row.operatorName],
            [t("via"), words.via(row.via)],
            [t("field.address"), row.address],
            [t("result"), <StatusBadge key="result" state={row.result} />],
            [t("objectName"), row.objectName],
            [t("org"), row.orgName],
            [t("project"), row.projectName],
          ]}
        />
        {changed.length === 0 ? (
          <Text size="sm" c="dimmed">
            {t("noDifference")}
          </Text>
        ) : (
          <table className="diff-table">
            <caption className="hidden-text">{t("changes")}</caption>
            <thead>
              <tr>
                <th scope="col">{t("member")}</th>
                <th scope="col">{t("before")}</th>
                <th scope="col">{t("after")}</th>
              </tr>
            </thead>
            <tbody>
              {changed.map((each) => (
                <tr key={each.name}>
                  <th scope="row">{each.name}</th>
                  <td>{formatAny(each.before)}</td>
                  <td>{formatAny(each.after)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Stack>
    </Dialog>
  );
}
