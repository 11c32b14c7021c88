/** What can be done with edge services that control reaches at addresses, above their list. */
import { Button, Menu } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Icon } from "@/components/icons";
import { useToasts } from "@/components/toasts";
import { download } from "@console/api/client";
import { EDGES } from "@console/components/edgePaths";
import type { Place } from "@console/components/place";

import { AddDirectDialog } from "./DirectDialog";
import { ImportDialog } from "./ImportDialog";

export function DirectMenu({ place }: { place: Place }): ReactElement {
  const { t } = useTranslation("edges");
  const toasts = useToasts();
  const [open, setOpen] = useState<"add" | "import" | null>(null);
  const close = () => setOpen(null);
  const save = () =>
    void download(`${EDGES}/export`, "edge-services.csv", { path: { ...place } }).catch(
      toasts.failed,
    );
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" rightSection={<Icon name="down" size={14} />}>
            {t("direct.menu")}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => setOpen("add")}>{t("direct.add")}</Menu.Item>
          <Menu.Item onClick={() => setOpen("import")}>{t("file.import")}</Menu.Item>
          <Menu.Item onClick={save}>{t("file.export")}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {open === "add" && <AddDirectDialog place={place} onClose={close} />}
      {open === "import" && <ImportDialog place={place} onClose={close} />}
    </>
  );
}
