import { Tabs } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { Page } from "@/components/Page";
import { SettingsForm } from "@/components/SettingsForm";

const PARTS = ["mqtt", "retainer", "delayed", "flapping_detect", "sys_topics", "alarm"] as const;

export default function MqttPage(): ReactElement {
  const { t } = useTranslation("mqtt");
  const [parameters, setParameters] = useSearchParams();
  const part = parameters.get("part") ?? PARTS[0];
  return (
    <Page title={t("title")} help={t("help")}>
      <Tabs
        value={part}
        onChange={(next) => setParameters(next === null ? {} : { part: next }, { replace: true })}
      >
        <Tabs.List mb="md">
          {PARTS.map((name) => (
            <Tabs.Tab key={name} value={name}>
              {t(`part.${name}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {PARTS.map((name) => (
          <Tabs.Panel key={name} value={name}>
            <SettingsForm path={name} />
          </Tabs.Panel>
        ))}
      </Tabs>
    </Page>
  );
}
