import { Button, Fieldset, Group, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import type { Rule, RuleSet } from "@/api/shapes";
import { FormDialog } from "@/components/FormDialog";
import { Icon } from "@/components/icons";
import { moved } from "@/lib/order";

import { RULES, type Owner } from "./Rules";

interface RulesDialogProps {
  owner: Owner;
  /** Null makes a new one. */
  set: RuleSet | null;
  onClose: () => void;
}

const PERMISSIONS = ["allow", "deny"] as const;
const ACTIONS = ["publish", "subscribe", "all"] as const;
const EMPTY: Rule = { topic: "", permission: "allow", action: "all" };

export function RulesDialog({ owner, set, onClose }: RulesDialogProps): ReactElement {
  const { t } = useTranslation("authorization");
  const parameter = owner === "users" ? "username" : "clientid";
  const [name, setName] = useState(set?.username ?? set?.clientid ?? "");
  const [rules, setRules] = useState<Rule[]>(set?.rules.length ? set.rules : [EMPTY]);
  const send = () => {
    if (owner === "all") return call("post", `${RULES}/all`, { body: { rules } });
    const body = { [parameter]: name, rules };
    return set === null
      ? call("post", `${RULES}/${owner}`, { body: [body] })
      : call("put", `${RULES}/${owner}/{${parameter}}`, { path: { [parameter]: name }, body });
  };
  const put = (index: number, change: Partial<Rule>) =>
    setRules(rules.map((rule, at) => (at === index ? { ...rule, ...change } : rule)));
  return (
    <FormDialog
      title={set === null ? t("rule.add") : t("editOne", { name: name || t("owner.all") })}
      submit={t("save")}
      done={t("saved")}
      refresh={["/authorization"]}
      size="lg"
      onSubmit={send}
      onClose={onClose}
    >
      {owner !== "all" && (
        <TextInput
          label={t(`field.${parameter}`)}
          required
          disabled={set !== null}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
      )}
      {rules.map((rule, index) => (
        <Fieldset key={index} legend={t("rule.number", { number: index + 1 })}>
          <Group align="flex-end" gap="xs">
            <Select
              label={t("rule.permission")}
              w={110}
              data={PERMISSIONS.map((each) => ({ value: each, label: t(`state.${each}`) }))}
              value={rule.permission}
              allowDeselect={false}
              onChange={(value) => put(index, { permission: value ?? "allow" })}
            />
            <Select
              label={t("rule.action")}
              w={150}
              data={ACTIONS.map((each) => ({ value: each, label: t(`action.${each}`) }))}
              value={rule.action}
              allowDeselect={false}
              onChange={(value) => put(index, { action: value ?? "all" })}
            />
            <TextInput
              className="grow"
              label={t("field.filter")}
              required
              value={rule.topic}
              onChange={(event) => put(index, { topic: event.currentTarget.value })}
            />
            <Button
              variant="subtle"
              aria-label={t("moveUp", { name: t("rule.number", { number: index + 1 }) })}
              disabled={index === 0}
              onClick={() => setRules(moved(rules, index, index - 1))}
            >
              <Icon name="up" size={16} />
            </Button>
            <Button
              variant="subtle"
              color="red"
              onClick={() => setRules(rules.filter((_, at) => at !== index))}
            >
              {t("delete")}
            </Button>
          </Group>
        </Fieldset>
      ))}
      <Group>
        <Button variant="default" onClick={() => setRules([...rules, EMPTY])}>
          {t("rule.another")}
        </Button>
      </Group>
    </FormDialog>
  );
}
