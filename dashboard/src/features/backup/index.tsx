import { Button, FileButton } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call, download } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { BackupFile } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { Page } from "@/components/Page";
import { RowButton } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { formatTime } from "@/lib/format";

const FILE = "/data/files/{filename}";

export default function BackupPage(): ReactElement {
  const { t } = useTranslation("backup");
  const mayChange = useMayChange();
  const refresh = ["/data"];
  const make = useAct({
    run: () => call("post", "/data/export", { body: {} }),
    refresh,
    done: t("made"),
  });
  const upload = useAct<File>({
    run: (file) => {
      const form = new FormData();
      form.set("filename", file);
      return call("post", "/data/files", { body: form, as: "form" });
    },
    refresh,
    done: t("uploaded"),
  });
  const restore = useAct<BackupFile>({
    run: ({ filename }) => call("post", "/data/import", { body: { filename } }),
    refresh: ["/"],
    done: t("restore.done"),
    ask: ({ filename }) => ({
      title: t("restore.title"),
      text: t("restore.text", { filename }),
      action: t("restore.action"),
    }),
  });
  const remove = useAct<BackupFile>({
    run: ({ filename }) => call("delete", FILE, { path: { filename } }),
    refresh,
    done: t("deleted"),
    ask: ({ filename }) => ({
      title: t("remove.title"),
      text: t("remove.text", { filename }),
      action: t("delete"),
    }),
  });
  const fetchFile = useAct<BackupFile>({
    run: ({ filename }) => download(FILE, filename, { path: { filename } }),
    refresh: [],
    done: t("downloaded"),
  });
  return (
    <Page
      title={t("title")}
      help={t("help")}
      actions={
        mayChange && (
          <>
            <FileButton onChange={(file) => file !== null && void upload.act(file)} accept=".gz,.tgz">
              {(props) => (
                <Button {...props} variant="default" loading={upload.isBusy}>
                  {t("upload")}
                </Button>
              )}
            </FileButton>
            <Button loading={make.isBusy} onClick={() => void make.act()}>
              {t("make")}
            </Button>
          </>
        )
      }
    >
      <DataTable<BackupFile>
        label={t("title")}
        path="/data/files"
        filters={[{ name: "like_filename", label: t("file") }]}
        columns={[
          { key: "filename", label: t("file") },
          {
            key: "created_at",
            label: t("field.createdAt"),
            render: (row) => formatTime(row.created_at),
          },
          { key: "node", label: t("field.node") },
        ]}
        rowKey={(row) => row.filename}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
        {...(mayChange && {
          actions: (row: BackupFile) => (
            <>
              <RowButton
                text={t("download")}
                label={`${t("download")} ${row.filename}`}
                onClick={() => void fetchFile.act(row)}
              />
              <RowButton
                text={t("restore.action")}
                label={`${t("restore.action")} ${row.filename}`}
                onClick={() => void restore.act(row)}
              />
              <RowButton
                text={t("delete")}
                label={t("deleteOne", { name: row.filename })}
                isDanger
                onClick={() => void remove.act(row)}
              />
            </>
          ),
        })}
      />
    </Page>
  );
}
