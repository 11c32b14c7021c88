/** Many edge services at addresses from a file: all of them, or what is wrong in which line. */
import { Alert, Anchor, Button, FileInput, Group, List, Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Dialog } from "@/components/Dialog";
import { ErrorPanel } from "@/components/ErrorPanel";
import { useToasts } from "@/components/toasts";
import { useChange } from "@/lib/query";
import { call, download } from "@console/api/client";
import { EDGE_REFRESH, EDGES } from "@console/components/edgePaths";
import type { Place } from "@console/components/place";

interface Imported {
  added: number;
  errors: { line: number; reason: string }[];
}

const SHOWN_MAX = 50;

export function ImportDialog({ place, onClose }: { place: Place; onClose: () => void }): ReactElement {
  const { t } = useTranslation("edges");
  const toasts = useToasts();
  const [file, setFile] = useState<File | null>(null);
  const path = { ...place };
  const bring = useChange(async (chosen: File) => {
    const said = await call<Imported>("post", `${EDGES}/import`, {
      path,
      body: chosen,
      as: "binary",
    });
    if (said.errors.length === 0) {
      toasts.done(t("file.added", { count: said.added }));
      onClose();
    }
    return said;
  }, EDGE_REFRESH);
  const errors = bring.data?.errors ?? [];
  return (
    <Dialog onClose={onClose} title={t("file.import")}>
      <Stack gap="sm">
        <Text size="sm">{t("file.help")}</Text>
        <Anchor
          component="button"
          type="button"
          size="sm"
          ta="start"
          onClick={() =>
            void download(`${EDGES}/import-template`, "edge-services-template.csv", { path }).catch(
              toasts.failed,
            )
          }
        >
          {t("file.template")}
        </Anchor>
        <FileInput
          label={t("file.file")}
          accept=".csv,text/csv"
          value={file}
          onChange={(chosen) => {
            setFile(chosen);
            bring.reset();
          }}
        />
        <ErrorPanel error={bring.error} />
        {errors.length > 0 && (
          <Alert color="red" title={t("file.nothing", { count: errors.length })}>
            <List size="sm">
              {errors.slice(0, SHOWN_MAX).map(({ line, reason }) => (
                <List.Item key={line}>{t("file.line", { line, reason })}</List.Item>
              ))}
            </List>
          </Alert>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("cancel")}
          </Button>
          <Button
            disabled={file === null}
            loading={bring.isPending}
            onClick={() => {
              if (file !== null) bring.mutate(file);
            }}
          >
            {t("file.import")}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
