import { Tabs } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { useCapabilities } from "@/api/capabilities";
import { Page } from "@/components/Page";
import { SettingsForm } from "@/components/SettingsForm";

import { Explain } from "./Explain";
import { Rules } from "./Rules";
import { Sources } from "./Sources";

const NEEDS: Record<string, string> = {
  sources: "GET /authorization/sources",
  rules: "GET /authorization/sources/built_in_database/rules/all",
  settings: "GET /schemas/configs",
  explain: "POST /authorization/explain",
};

export default function AuthorizationPage(): ReactElement {
  const { t } = useTranslation("authorization");
  const capabilities = useCapabilities();
  const [parameters, setParameters] = useSearchParams();
  const tabs = Object.keys(NEEDS).filter((tab) => capabilities?.has(NEEDS[tab] ?? "") ?? false);
  return (
    <Page title={t("title")} help={t("help")}>
      <Tabs
        value={parameters.get("tab") ?? "sources"}
        onChange={(tab) => setParameters(tab === null ? {} : { tab }, { replace: true })}
      >
        <Tabs.List mb="md">
          {tabs.map((tab) => (
            <Tabs.Tab key={tab} value={tab}>
              {t(`tab.${tab}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="sources">
          <Sources />
        </Tabs.Panel>
        <Tabs.Panel value="rules">
          <Rules />
        </Tabs.Panel>
        <Tabs.Panel value="settings">
          <SettingsForm path="authorization" hidden={["sources"]} />
        </Tabs.Panel>
        <Tabs.Panel value="explain">
          <Explain />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
