"""Adapters to venues: their messages in, records out; intents in, their messages out.

A venue room translates and transports; it decides nothing about trading.
Imported by ``engine`` and above; imports ``websocket`` and ``core`` only.
"""
