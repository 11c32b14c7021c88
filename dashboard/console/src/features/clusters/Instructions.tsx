import { NativeSelect, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { Loading } from "@/components/Loading";
import { useGet } from "@console/api/hooks";
import type { Instructions as Given } from "@console/api/shapes";
import { filled } from "@console/lib/command";

import { Command } from "./Command";
import { INSTRUCTIONS } from "./paths";

interface InstructionsProps {
  values: Record<string, string>;
  token: string;
}

/** Steps for the chosen platform; the form fills the commands while somebody types. */
export function Instructions({ values, token }: InstructionsProps): ReactElement {
  const { t } = useTranslation("register");
  const [platform, setPlatform] = useState<string | null>(null);
  const [typed, setTyped] = useState<Record<string, string>>({});
  const answer = useGet(INSTRUCTIONS, {
    path: values,
    query: platform === null ? {} : { platform },
  });
  if (answer.data === undefined) {
    return answer.error === null ? <Loading /> : <ErrorPanel error={answer.error} />;
  }
  const { platforms, parameters, steps } = answer.data;
  const asked = parameters.filter(({ name }) => name !== TOKEN);
  const defaults = Object.fromEntries(parameters.map((each) => [each.name, each.default]));
  const given = { ...defaults, ...typed, [TOKEN]: token };
  return (
    <Stack gap="lg">
      <NativeSelect
        label={t("platform.label")}
        data={platforms.map(({ id, name }) => ({ value: id, label: name }))}
        value={platform ?? answer.data.platform}
        onChange={(event) => setPlatform(event.currentTarget.value)}
      />
      <section>
        <Title order={3} size="h5">
          {t("form.title")}
        </Title>
        <Text size="sm" c="dimmed" mb="xs">
          {t("form.help")}
        </Text>
        <div className="form-grid">
          {asked.map((parameter) => (
            <Parameter
              key={parameter.name}
              parameter={parameter}
              value={typed[parameter.name] ?? parameter.default}
              onChange={(value) => setTyped({ ...typed, [parameter.name]: value })}
            />
          ))}
        </div>
      </section>
      <Steps steps={steps} given={given} />
    </Stack>
  );
}

/** The place of the registration token in the commands; nobody types it. */
const TOKEN = "registrationToken";

/** Values of a parameter that is on or off. */
const SWITCH = ["false", "true"];

interface ParameterProps {
  parameter: Given["parameters"][number];
  value: string;
  onChange: (value: string) => void;
}

function Parameter({ parameter, value, onChange }: ParameterProps): ReactElement {
  const { t } = useTranslation();
  const common = {
    label: parameter.label,
    required: !parameter.isOptional,
    autoComplete: "off",
    spellCheck: false,
    value,
  };
  if (SWITCH.includes(parameter.default)) {
    return (
      <NativeSelect
        label={parameter.label}
        data={SWITCH.map((word) => ({ value: word, label: t(word === "true" ? "yes" : "no") }))}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    );
  }
  if (!parameter.isSecret) {
    return <TextInput {...common} onChange={(event) => onChange(event.currentTarget.value)} />;
  }
  return (
    <PasswordInput
      {...common}
      autoComplete="new-password"
      visibilityToggleButtonProps={{ "aria-label": t("showPassword") }}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

interface StepsProps {
  steps: Given["steps"];
  given: Readonly<Record<string, string>>;
}

function Steps({ steps, given }: StepsProps): ReactElement {
  const { t } = useTranslation("register");
  return (
    <>
      {steps.map((step) => {
        const name = (index: number) => `${step.title} ${index + 1}`;
        const safe = step.commands.filter(({ isInsecure }) => !isInsecure);
        const unsafe = step.commands.filter(({ isInsecure }) => isInsecure);
        return (
          <section key={step.id}>
            <Title order={3} size="h5">
              {step.title}
            </Title>
            <Text size="sm" c="dimmed" mb="xs">
              {step.text}
            </Text>
            <Stack gap="sm">
              {safe.map((command, index) => (
                <Command
                  key={command.id}
                  name={name(index)}
                  text={filled(command.text, given)}
                  isInsecure={false}
                />
              ))}
              {unsafe.length > 0 && (
                <details>
                  <summary>{t("insecureVariant")}</summary>
                  <Text size="sm" my="xs">
                    {t("insecureHelp")}
                  </Text>
                  {unsafe.map((command, index) => (
                    <Command
                      key={command.id}
                      name={name(safe.length + index)}
                      text={filled(command.text, given)}
                      isInsecure
                    />
                  ))}
                </details>
              )}
            </Stack>
          </section>
        );
      })}
    </>
  );
}
