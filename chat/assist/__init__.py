"""What agents are helped with: suggested replies and a summary, for our own conversations and for foreign ones.

brief       what the engine is asked about
suggesting  up to three replies by three different templates
summing     demand, facts, promises, open questions
desk        both for one of our conversations, and what became of a suggestion
foreign     both for a transcript from another help desk
"""
