import { Table } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Dialog } from "@/components/Dialog";
import { formatNumber } from "@/lib/format";

const LEVELS = ["qos0", "qos1", "qos2"] as const;

interface FiguresDialogProps {
  topic: string;
  metrics: Record<string, number>;
  onClose: () => void;
}

/** What came in and went out on a topic, by QoS. */
export function FiguresDialog({ topic, metrics, onClose }: FiguresDialogProps): ReactElement {
  const { t, i18n } = useTranslation("topicMetrics");
  const figure = (name: string) => (
    <Table.Td ta="right">{formatNumber(metrics[name] ?? 0, i18n.language)}</Table.Td>
  );
  return (
    <Dialog title={topic} size="lg" onClose={onClose}>
      <div className="table-scroll" role="region" aria-label={t("byQos")} tabIndex={0}>
        <Table>
          <caption className="hidden-text">{t("byQos")}</caption>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("qos")}</Table.Th>
              <Table.Th ta="right">{t("received")}</Table.Th>
              <Table.Th ta="right">{t("perSecond")}</Table.Th>
              <Table.Th ta="right">{t("sent")}</Table.Th>
              <Table.Th ta="right">{t("perSecond")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {LEVELS.map((level, number) => (
              <Table.Tr key={level}>
                <Table.Th scope="row">{number}</Table.Th>
                {figure(`message.${level}.in.count`)}
                {figure(`message.${level}.in.rate`)}
                {figure(`message.${level}.out.count`)}
                {figure(`message.${level}.out.rate`)}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </Dialog>
  );
}
