import { Anchor, Group, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { Link } from "react-router";

import { ABSENT } from "@/lib/format";

import { addressOf, type Kind } from "./kinds";

/** The ids of others, each with the way to its page. */
export function Links(props: { kind: Kind | "rules"; ids: readonly string[] }): ReactElement {
  if (props.ids.length === 0) return <Text span>{ABSENT}</Text>;
  return (
    <Group gap={8} component="span" justify="inherit">
      {props.ids.map((id) => (
        <Anchor key={id} component={Link} to={addressOf(props.kind, id)} size="sm" className="wrap">
          {id}
        </Anchor>
      ))}
    </Group>
  );
}
