"""The bank bench: does a word get one vector, or one for each meaning in context?"""
