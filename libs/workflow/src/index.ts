// For everyone: definitions, plans, and runs as their journals tell them.

export type { BindingResult } from "./binding.ts";
export { bindInputs, bindText, evaluateItems, evaluateWhen } from "./binding.ts";
export type { ExpertListing } from "./check-experts.ts";
export type { HistoryOptions, Violation } from "./check-history.ts";
export { checkHistory } from "./check-history.ts";
// For drivers of runs.
export type {
  AwaitApprovalCommand,
  CancelTaskCommand,
  Command,
  CompleteRunCommand,
  CompleteTaskCommand,
  DispatchCommand,
  ReuseCommand,
  ScheduleRetryCommand,
  ScheduleRunTimeoutCommand,
  SkipCommand,
  WithdrawCommand,
} from "./command.ts";
export type { Provenance } from "./context.ts";
export { RunContext } from "./context.ts";
export { Expansion } from "./expansion.ts";
export type { CompileResult, EvaluationResult, Expression, ExpressionProblem, TaskReference } from "./expression.ts";
export { compileExpression, MAX_EXPRESSION_LENGTH } from "./expression.ts";
export type { Issue, Position } from "./issue.ts";
export { closest, MAX_ISSUES } from "./issue.ts";
export type { ItemNumbers } from "./items.ts";
export { DEFAULT_MAX_CONCURRENCY, MAX_ITEMS } from "./items.ts";
export { jsonIssues, MAX_DEPTH } from "./json-issues.ts";
export { MACHINE_VERSION, RunMachine } from "./machine.ts";
export type { ParseResult, ParseWorkflowResult } from "./parse.ts";
export { parseMessage, parseWorkflow } from "./parse.ts";
export type { Path } from "./path.ts";
export { pathSteps, pathText } from "./path.ts";
export type { PlanOptions, PlanResult } from "./plan.ts";
export { MAX_EDGES, MAX_TASKS, plan } from "./plan.ts";
export { contextOf, project, RunProjection } from "./projection.ts";
export {
  CONFLICT_ATTEMPTS,
  DEFAULT_BACKOFF,
  DEFAULT_INITIAL_INTERVAL_MS,
  DEFAULT_MAX_INTERVAL_MS,
  retryDelay,
} from "./retry.ts";
export type { Scope, TaskScope } from "./scope.ts";
export type { Locate } from "./source-text.ts";
