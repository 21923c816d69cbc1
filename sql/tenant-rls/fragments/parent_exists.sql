-- A fragment, a condition. It needs rows of :"child" with the column :"column", and in :tenant a condition on the row :alias of the other table.
EXISTS (SELECT FROM :"parent" AS :alias WHERE :alias.:"key" = :"child".:"column" AND (:tenant))
