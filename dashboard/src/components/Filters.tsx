import { Button, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { TableState } from "./tableState";

export interface Filter {
  /** The query parameter. */
  name: string;
  label: string;
  /** Values to choose from; free text without. */
  options?: readonly { value: string; label: string }[];
  kind?: "text" | "time";
}

const TYPING_MS = 300;

interface FiltersProps {
  filters: readonly Filter[];
  state: TableState;
}

export function Filters({ filters, state }: FiltersProps): ReactElement | null {
  const { t } = useTranslation();
  if (filters.length === 0) return null;
  const isSet = Object.values(state.filters).some((value) => value !== "");
  return (
    <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      {filters.map((filter) =>
        filter.options === undefined ? (
          <TextFilter key={filter.name} filter={filter} state={state} />
        ) : (
          <Select
            key={filter.name}
            label={filter.label}
            placeholder={t("any")}
            data={[...filter.options]}
            value={state.filters[filter.name] || null}
            onChange={(value) => state.setFilter(filter.name, value ?? "")}
            clearable
            clearButtonProps={{ "aria-label": t("clear") }}
          />
        ),
      )}
      {isSet && (
        <Button variant="subtle" onClick={state.clear}>
          {t("clearFilters")}
        </Button>
      )}
    </form>
  );
}

interface TextFilterProps {
  filter: Filter;
  state: TableState;
}

function TextFilter({ filter, state }: TextFilterProps): ReactElement {
  const given = state.filters[filter.name] ?? "";
  const [text, setText] = useState(given);
  const ask = useDebouncedCallback((value: string) => state.setFilter(filter.name, value), TYPING_MS);
  useEffect(() => setText(given), [given]);
  const isTime = filter.kind === "time";
  const change = (value: string) => {
    setText(value);
    ask(isTime && value !== "" ? new Date(value).toISOString() : value);
  };
  return (
    <TextInput
      label={filter.label}
      {...(isTime && { className: "time-filter" })}
      type={isTime ? "datetime-local" : "search"}
      value={isTime ? localTime(text) : text}
      onChange={(event) => change(event.currentTarget.value)}
    />
  );
}

/** As a `datetime-local` field takes it. */
function localTime(text: string): string {
  const time = new Date(text);
  if (text === "" || Number.isNaN(time.getTime())) return "";
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
