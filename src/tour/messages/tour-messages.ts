/** The typed shape of the tour's sentences; a language that lacks one does not compile. */

export interface StageMessages {
  readonly title: string;
  /** What the learner will have seen at the end. */
  readonly aim: string;
  readonly question: string;
  /** One text for each option of the stage, in the stage's order. */
  readonly options: readonly string[];
  /** Why the right answer is right. */
  readonly why: string;
  readonly recap: readonly string[];
}

export interface TourMessages {
  readonly stages: {
    readonly 'one-pod': StageMessages;
    readonly 'one-node': StageMessages;
    readonly 'two-nodes': StageMessages;
    readonly service: StageMessages;
  };
  readonly unknownStage: (name: string, known: string) => string;
  readonly welcome: string;
  readonly stageOf: (index: number, total: number, title: string) => string;
  readonly right: string;
  readonly wrong: (answer: string) => string;
  readonly engineDisagrees: string;
  readonly stepOf: (index: number, total: number) => string;
  readonly move: string;
  readonly next: string;
  readonly back: string;
  readonly toEnd: string;
  readonly quit: string;
  readonly askNow: string;
  readonly recapTitle: string;
  readonly repeat: (command: string) => string;
  readonly finished: (right: number, total: number) => string;
  /** Before the command that shows a step's row on a real node. */
  readonly see: string;
  readonly vethPair: string;
  readonly wire: string;
}
