import { Stack, Tabs, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { PluginRow } from "@/api/shapes";
import { Dialog } from "@/components/Dialog";
import { KeyValues } from "@/components/KeyValues";

import { RunForm } from "./RunForm";
import { Workers } from "./Workers";

interface DetailsDialogProps {
  plugin: PluginRow;
  onClose: () => void;
}

/** What a plugin says about itself, how it is run, and what its processes do. */
export function DetailsDialog({ plugin, onClose }: DetailsDialogProps): ReactElement {
  const { t } = useTranslation("plugins");
  return (
    <Dialog title={plugin.name} size="lg" onClose={onClose}>
      <Tabs defaultValue="about">
        <Tabs.List mb="md">
          <Tabs.Tab value="about">{t("tab.about")}</Tabs.Tab>
          <Tabs.Tab value="run">{t("tab.run")}</Tabs.Tab>
          <Tabs.Tab value="workers">{t("tab.workers")}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="about">
          <About plugin={plugin} />
        </Tabs.Panel>
        <Tabs.Panel value="run">
          <RunForm plugin={plugin} />
        </Tabs.Panel>
        <Tabs.Panel value="workers">
          <Workers name={plugin.name} />
        </Tabs.Panel>
      </Tabs>
    </Dialog>
  );
}

function About({ plugin }: { plugin: PluginRow }): ReactElement {
  const { t } = useTranslation("plugins");
  return (
    <Stack gap="sm">
      <KeyValues
        rows={[
          [t("field.description"), plugin.description],
          [t("version"), plugin.rel_vsn],
          [t("author"), plugin.author?.join(", ")],
          [t("hookpoints"), plugin.hookpoints?.join(", ")],
          [t("starts"), t(plugin.enable ? "yes" : "no")],
        ]}
      />
      {plugin.readme ? (
        <pre className="payload" tabIndex={0}>
          {plugin.readme}
        </pre>
      ) : (
        <Text size="sm" c="dimmed">
          {t("noReadme")}
        </Text>
      )}
    </Stack>
  );
}
