"""Tell people: what an incident has to say goes through an outbox in the journal to the channels of the site.

No channel delays or fails a remediation: see `courier.py`.
"""
