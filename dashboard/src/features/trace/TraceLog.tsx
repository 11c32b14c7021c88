import { Button, Group, Loader, Stack } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useGet } from "@/api/hooks";
import { Dialog } from "@/components/Dialog";
import { EmptyState } from "@/components/EmptyState";
import { ErrorPanel } from "@/components/ErrorPanel";

const BYTES = 65_536;

/** The beginning of a trace; the whole of it is a download. */
export function TraceLog({ name, onClose }: { name: string; onClose: () => void }): ReactElement {
  const { t } = useTranslation("trace");
  const log = useGet("/trace/{name}/log", { path: { name }, query: { bytes: BYTES } });
  const text = log.data?.items ?? "";
  return (
    <Dialog
      size="xl"
      title={name}
      onClose={onClose}
    >
      <Stack gap="sm">
        <ErrorPanel error={log.error} />
        {log.isPending && <Loader aria-label={t("loading")} />}
        {log.data !== undefined && text === "" && (
          <EmptyState title={t("noLines.title")} text={t("noLines.text")} />
        )}
        {text !== "" && (
          <pre className="payload" tabIndex={0}>
            {text}
          </pre>
        )}
        <Group justify="flex-end">
          <Button variant="default" loading={log.isFetching} onClick={() => void log.refetch()}>
            {t("refresh")}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
