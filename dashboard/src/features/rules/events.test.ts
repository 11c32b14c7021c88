import { expect, test } from "vitest";

import type { RuleEvent } from "@/api/shapes";

import { contextOf, eventOf, sampleOf, topicOf } from "./events";

function event(name: string, test_columns: RuleEvent["test_columns"] = {}): RuleEvent {
  return { event: name, title: { en: "", zh: "" }, columns: {}, test_columns, sql_example: "" };
}

const publish = event("$events/message_publish", {
  topic: ["t/a", "the topic"],
  qos: [1, "the QoS"],
  payload: ["{}", "the payload"],
});
const all = [publish, event("$events/client/connected"), event("$events/message/delivery_dropped")];

test("an event is found by its old and its new name, and a filter is a message", () => {
  expect(eventOf("$events/client_connected", all)).toBe(all[1]);
  expect(eventOf("$events/client/connected", all)).toBe(all[1]);
  expect(eventOf("$events/delivery_dropped", all)).toBe(all[2]);
  expect(eventOf("t/#", all)).toBe(publish);
  expect(eventOf("$bridges/mqtt:in", all)).toBe(publish);
  expect(eventOf("$events/nothing", all)).toBeUndefined();
});

test.each([
  ["t/#", "t/a"],
  ["#", "a"],
  ["+/x/+", "a/x/a"],
  ["$share/g/t/+", "t/a"],
  ["plain", "plain"],
])("the filter %s matches %s", (filter, topic) => expect(topicOf(filter)).toBe(topic));

test("a sample keeps the kinds of its values", () => {
  const sample = { ...sampleOf(publish, "room/+"), payload: "12" };
  expect(contextOf(publish, sample)).toEqual({
    event_type: "message_publish",
    topic: "room/a",
    qos: 1,
    payload: "12",
  });
});
