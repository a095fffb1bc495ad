// A lead as Emmett's documentation writes an aggregate: state, evolve, and one decision per command.
import { CommandHandler, IllegalStateError } from '@event-driven-io/emmett';

const initialState = () => ({ status: 'none' });

const evolve = (state, { type, data }) => {
  switch (type) {
    case 'LeadCaptured':
      return { status: 'open', stage: data.stage };
    case 'LeadQualified':
      return { status: 'open', stage: data.move.to };
    default:
      return state;
  }
};

export const handle = CommandHandler({ evolve, initialState, mapToStreamId: (id) => `lead-${id}` });

export const capture = (lead, command, now) => (state) => {
  if (state.status !== 'none') throw new IllegalStateError('The lead is there already');
  const { pipeline, tags = [], ...profile } = command;
  return {
    type: 'LeadCaptured',
    data: { lead, pipeline, stage: 'new', category: 'open', profile, tags, captured_at: now, captured_by: 'bench' },
  };
};

export const qualify = (lead, now) => (state) => {
  if (state.status === 'none') throw new IllegalStateError('There is no such lead');
  if (state.stage !== 'new') throw new IllegalStateError('The lead is qualified already');
  return { type: 'LeadQualified', data: { lead, move: { from: 'new', to: 'qualified', at: now } } };
};
