"""What people and programs get to see. Only `tables` and `live` import Rich; they are imported late."""
